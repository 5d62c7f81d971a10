"""The broker that `up` starts: who may log in, who may do what, and how mosquitto or amqtt is run."""
