"""Publishes messages at the times that are planned for them, over one connection.

    python benchmarks/parts/paced.py PORT PLAN BEGIN TOLD

PLAN is a pickled list of (seconds after BEGIN, topic, payload, mark), in order. TOLD is written at the end:
JSON of when each marked message was published (UTC seconds), and of when each second's last one was due and
went.
"""

import json
import pickle
import sys
import time
from pathlib import Path

import paho.mqtt.client as paho


def main() -> None:
    port, plan, begin, told = int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), Path(sys.argv[4])
    messages = pickle.loads(Path(plan).read_bytes())
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, "publisher")
    client.max_inflight_messages_set(5000)
    client.connect("127.0.0.1", port)
    client.loop_start()
    marked: dict[str, float] = {}
    behind, last = 0.0, None
    for due, topic, payload, mark in messages:
        wait = begin + due - time.time()
        if wait > 0:
            time.sleep(wait)
        behind = max(behind, -wait)
        if mark:
            marked[mark] = time.time()
        last = client.publish(topic, payload, 1)
    ended = time.time()
    if last is not None:
        last.wait_for_publish(30)
    told.write_text(json.dumps({"marked": marked, "ended": ended, "behind": behind}))
    client.disconnect()


if __name__ == "__main__":
    main()
