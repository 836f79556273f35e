// opossum 10 brings no types of its own, and those of @types are of another major. This is what breaker.ts uses.
declare module 'opossum' {
  import type { EventEmitter } from 'node:events';

  interface Options {
    timeout: number | false;
    volumeThreshold: number;
    errorThresholdPercentage: number;
    rollingCountTimeout: number;
    resetTimeout: number;
    rollingPercentilesEnabled: boolean;
    enableSnapshots: boolean;
    /** Whether the error counts as a success. */
    errorFilter: (error: unknown) => boolean;
  }

  /** Emits 'open', 'halfOpen' and 'close' when its state changes. */
  interface CircuitBreaker<Arguments extends unknown[], Result> extends EventEmitter {
    readonly opened: boolean;
    readonly halfOpen: boolean;
    /** Of the current window. */
    readonly status: {
      readonly stats: { readonly successes: number; readonly failures: number; readonly rejects: number };
    };
    fire(...values: Arguments): Promise<Result>;
    shutdown(): void;
  }

  const CircuitBreaker: {
    new <Arguments extends unknown[], Result>(
      action: (...values: Arguments) => Promise<Result>,
      options: Options,
    ): CircuitBreaker<Arguments, Result>;
    /** Whether the circuit itself refused: it is open. */
    isOurError(error: Error): boolean;
  };
  export = CircuitBreaker;
}
