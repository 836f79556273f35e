// Takes what services export as traces and forgets it, so that exporting costs them what it costs with a collector that answers.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runServerProcess } from '#libs/bench';

runServerProcess(async () => {
  const server = createServer((request, response) => request.resume().on('end', () => response.end()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
});
