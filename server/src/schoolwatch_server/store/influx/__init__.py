"""A store of series beside the server's database: InfluxDB or VictoriaMetrics, over HTTP."""
