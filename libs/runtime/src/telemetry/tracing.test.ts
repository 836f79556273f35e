import { afterEach, describe, expect, it } from '@jest/globals';
import { runInBackground } from '../context.ts';
import { createLogger } from '../logger.ts';
import type { ActiveSpan, NewSpan } from './span.ts';
import { inSpan, startSpan, useTracer } from './tracing.ts';

const logger = createLogger({ service: 'test', level: 'silent' });
const sampled = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const unsampled = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;

interface Recorded {
  span: NewSpan & { parent: string };
  ends: (string | undefined)[];
}

/** A tracer that remembers what was asked of it. */
function remember(): Recorded[] {
  const recorded: Recorded[] = [];
  useTracer({
    start: (span): ActiveSpan => {
      const entry: Recorded = { span, ends: [] };
      recorded.push(entry);
      const id = String(recorded.length).padStart(16, '0');
      return {
        traceParent: `00-${'a'.repeat(32)}-${id}-01`,
        set: () => undefined,
        event: () => undefined,
        link: () => undefined,
        end: (failure) => void entry.ends.push(failure?.type),
      };
    },
  });
  return recorded;
}

function inCall<T>(traceParent: string, work: () => Promise<T>): Promise<T> {
  return runInBackground({ name: 'test', logger, timeoutMs: 5000, traceParent }, work);
}

afterEach(() => useTracer(undefined));

describe('spans', () => {
  it('are not made while tracing is off', async () => {
    expect(startSpan({ name: 'x', parent: sampled })).toBeUndefined();
    expect(await inCall(sampled, () => inSpan({ name: 'x' }, (span) => Promise.resolve(span)))).toBeUndefined();
  });

  it('are not made in a trace that is not recorded, nor for work that no call asked for', async () => {
    const recorded = remember();
    expect(startSpan({ name: 'x' })).toBeUndefined();
    expect(await inCall(unsampled, () => inSpan({ name: 'x' }, (span) => Promise.resolve(span)))).toBeUndefined();
    expect(recorded).toEqual([]);
  });

  it('continue the running span, and the call again after it', async () => {
    const recorded = remember();
    await inCall(sampled, async () => {
      await inSpan({ name: 'outer' }, async () => {
        await inSpan({ name: 'inner' }, () => Promise.resolve());
      });
      startSpan({ name: 'leaf' })?.end();
    });
    expect(recorded.map(({ span }) => [span.name, span.parent.split('-')[2]])).toEqual([
      ['outer', 'b'.repeat(16)],
      ['inner', '0000000000000001'],
      ['leaf', 'b'.repeat(16)],
    ]);
    expect(recorded.map(({ ends }) => ends)).toEqual([[undefined], [undefined], [undefined]]);
  });

  it('end as failed with what the error is called, never with its message', async () => {
    const recorded = remember();
    const fail = (error: unknown) =>
      inCall(sampled, () => inSpan({ name: 'x' }, () => Promise.reject(error as Error))).catch(() => undefined);
    await fail(Object.assign(new Error('secret'), { reason: 'WRITE_CONFLICT' }));
    await fail(Object.assign(new Error('secret'), { code: '23505' }));
    await fail(new TypeError('secret'));
    await fail(Object.assign(new Error('secret'), { code: 'a secret text' }));
    expect(recorded.map(({ ends }) => ends)).toEqual([['WRITE_CONFLICT'], ['23505'], ['TypeError'], ['Error']]);
  });
});
