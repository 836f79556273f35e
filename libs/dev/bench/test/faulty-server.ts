// A server process for the tests of the bench: some of its calls fail.
import { runServerProcess, startBareServer } from '#dev/bench';

export const echoPath = '/bench.Test/Echo';

const text = {
  requestSerialize: (value: string): Buffer => Buffer.from(value),
  requestDeserialize: (value: Buffer): string => value.toString(),
  responseSerialize: (value: string): Buffer => Buffer.from(value),
  responseDeserialize: (value: Buffer): string => value.toString(),
};

/** Fails every call whose message is "fail", and echoes the others. */
runServerProcess(async () =>
  startBareServer(
    { echo: { path: echoPath, ...text } } as never,
    {
      echo: (message: string) => {
        if (message === 'fail') return Promise.reject(new Error('asked to fail'));
        return message;
      },
    } as never,
  ),
);
