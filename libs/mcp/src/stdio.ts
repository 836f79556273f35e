import { pipeline, type Readable, type Writable } from 'node:stream';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { createMcpServer, type McpServerOptions } from './server.ts';
import { strictLines } from './strict-lines.ts';

export interface StdioOptions extends McpServerOptions {
  /** By default those of the process. Nothing else may write to the output. */
  input?: Readable;
  output?: Writable;
  onError?: (error: Error) => void;
}

export interface RunningStdio {
  /** Resolves when the agent has closed its end. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/** Serves one agent, which has started this program and talks to it line by line. */
export function serveMcpOverStdio({
  input = process.stdin,
  output = process.stdout,
  onError,
  ...options
}: StdioOptions): RunningStdio {
  const lines = strictLines((fault) => void output.write(`${fault.toAnswer()}\n`));
  const ended = new Promise<void>((resolve) => {
    pipeline(input, lines, () => resolve());
    output.once('close', () => resolve());
  });
  const transport = new StdioServerTransport(lines, output);
  // Tools do not change while it runs, so there is nothing to subscribe to.
  const handle = serveStdio(() => createMcpServer(options), {
    transport,
    maxSubscriptions: 0,
    ...(onError && { onerror: onError }),
  });
  return { ended, close: handle.close };
}
