"""A stream client that speaks as the Python API manager's own client does, with the websockets library.

It authenticates by its first message without an epoch, adopts current_sequence, subscribes to everything, takes single
messages and batches, and after a loss of the connection resumes with the last number that it has seen. For tests: it
writes one JSON line per event to standard output and obeys lines on standard input.

usage: legacy_client.py URL KEY [--ca FILE] [--last N] [--bytes-per-second N]
events: {"event": "connected"|"status"|"subscribed"|"order"|"lost"|"refused", ...}
input:  drop   cuts the connection without a closing handshake; the client comes back
        quit   ends the program
"""
import argparse
import asyncio
import json
import ssl
import sys

import websockets


def tell(event, **fields):
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


async def session(options, state):
    context = ssl.create_default_context(cafile=options.ca) if options.url.startswith("wss:") else None
    async with websockets.connect(options.url, ssl=context) as socket:
        state["socket"] = socket
        tell("connected")
        await socket.send(json.dumps({"api_key": options.key, "last_sequence": state["last"]}))
        answer = json.loads(await socket.recv())
        if answer.get("status") != "success":
            tell("refused", **answer)
            return False
        if state["last"] < 0:
            state["last"] = answer["current_sequence"]
        tell("status", current=answer["current_sequence"])
        await socket.send(json.dumps({"type": "subscribe", "all": True, "sender_timestamp": 1}))
        async for text in socket:
            message = json.loads(text)
            if message.get("type") == "subscription_status":
                tell("subscribed", skipped=message.get("skipped"))
            for order in message.get("messages", [message]) if message.get("type") == "batch" else [message]:
                if "sequence" not in order:
                    continue
                state["last"] = order["sequence"]
                tell("order", sequence=order["sequence"], batch=message.get("count", 1))
            if options.bytes_per_second:
                await asyncio.sleep(len(text) / options.bytes_per_second)
    return True


async def obey(state):
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        if line.strip() == b"drop" and state.get("socket") is not None:
            state["socket"].transport.abort()
        if line.strip() == b"quit":
            return


async def follow(options, state):
    while True:
        try:
            if not await session(options, state):
                return
        except (OSError, websockets.WebSocketException) as error:
            tell("lost", detail=f"{type(error).__name__}: {error}")
        await asyncio.sleep(0.2)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("key")
    parser.add_argument("--ca")
    parser.add_argument("--last", type=int, default=-1)
    parser.add_argument("--bytes-per-second", type=int, default=0)
    options = parser.parse_args()
    state = {"last": options.last}
    tasks = [asyncio.ensure_future(obey(state)), asyncio.ensure_future(follow(options, state))]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


asyncio.run(main())
