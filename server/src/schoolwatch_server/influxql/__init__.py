"""InfluxQL over series of any source: the part of InfluxDB 1.8's language that panels are written in. Pure.

https://docs.influxdata.com/influxdb/v1/query_language/spec/
"""
