/** Looks at the memory of another process through its inspector, so that the process needs no code for it. */
export interface HeapProbe {
  /** What is left after a full garbage collection. */
  usedBytes(): Promise<number>;
  close(): void;
}

interface Reply {
  id: number;
  result?: { usedSize?: number };
  error?: { message: string };
}

/** What a Node process has to be started with. */
export const inspectorOption = (port: number): string => `--inspect=127.0.0.1:${port}`;

/** `port` is the one of `inspectorOption`. */
export async function openHeapProbe(port: number): Promise<HeapProbe> {
  const [target] = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
    webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '');
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', () => reject(new Error(`the inspector on port ${port} does not answer`)));
  });
  const waiting = new Map<number, (reply: Reply) => void>();
  socket.addEventListener('message', ({ data }) => {
    const reply = JSON.parse(String(data)) as Reply;
    waiting.get(reply.id)?.(reply);
    waiting.delete(reply.id);
  });
  let last = 0;
  const ask = async (method: string): Promise<Reply['result']> => {
    const id = (last += 1);
    const { result, error } = await new Promise<Reply>((resolve) => {
      waiting.set(id, resolve);
      socket.send(JSON.stringify({ id, method }));
    });
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  };
  return {
    usedBytes: async () => {
      // The second finds what finalizers of the first have let go of.
      await ask('HeapProfiler.collectGarbage');
      await ask('HeapProfiler.collectGarbage');
      return (await ask('Runtime.getHeapUsage'))?.usedSize ?? NaN;
    },
    close: () => socket.close(),
  };
}
