import { describe, expect, it } from '@jest/globals';
import { readConfig } from '../src/config.ts';
import { environment } from './environment.ts';

describe('the board', () => {
  it('is on in development, and off in production unless it is switched on', () => {
    const boardOf = (more: NodeJS.ProcessEnv): boolean => readConfig({ ...environment(), ...more }).board;
    expect([boardOf({}), boardOf({ TASKFLOW_SCHEDULER_BOARD: 'off' })]).toEqual([true, false]);
    const production = { TASKFLOW_ENV: 'production' };
    expect([boardOf(production), boardOf({ ...production, TASKFLOW_SCHEDULER_BOARD: 'on' })]).toEqual([false, true]);
  });

  it('is on or off and nothing else', () => {
    expect(() => readConfig({ ...environment(), TASKFLOW_SCHEDULER_BOARD: 'yes' })).toThrow(
      'TASKFLOW_SCHEDULER_BOARD: must be on or off',
    );
  });
});
