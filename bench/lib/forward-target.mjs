// A stand-in for the validator's own server, in a process of its own: 2 KB of JSON for whatever is asked.
import { createServer } from 'node:http';

const body = JSON.stringify({ status: 'success', dashboard: 'x'.repeat(2000) });
const server = createServer((_request, response) => {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length }).end(body);
});
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.on('disconnect', () => process.exit());
