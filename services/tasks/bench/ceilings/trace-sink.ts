// Accepts exported traces and drops them, so that exporting costs services the same as with a real collector.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runServerProcess } from '#dev/bench';

runServerProcess(async () => {
  const server = createServer((request, response) => request.resume().on('end', () => response.end()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
});
