"""Posts every request of the JSON list in argv[1] at once; prints [{status, body}] in the same order."""
import asyncio
import json
import sys

import aiohttp


async def post(session, request):
    headers = {"content-type": "application/json"}
    async with session.post(request["url"], data=request["body"], headers=headers) as response:
        return {"status": response.status, "body": await response.json()}


async def main():
    async with aiohttp.ClientSession() as session:
        posts = [post(session, request) for request in json.loads(sys.argv[1])]
        print(json.dumps(await asyncio.gather(*posts)))


asyncio.run(main())
