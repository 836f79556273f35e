import { describe, expect, it } from '@jest/globals';
import { tallyOf } from './test-run.ts';

describe('the tally of a jest run', () => {
  it('counts a suite that could not be loaded as a failure', () => {
    expect(tallyOf({ numPassedTests: 3, numFailedTests: 1, numRuntimeErrorTestSuites: 1 }, 1)).toEqual({ passed: 3, failed: 2 });
  });

  it('fails when no test was executed', () => {
    expect(tallyOf({ numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 0 }, 0)).toEqual({ passed: 0, failed: 1 });
  });

  it('fails when jest broke off or ended badly without saying why', () => {
    expect(tallyOf(undefined, 0)).toEqual({ passed: 0, failed: 1 });
    expect(tallyOf({ numPassedTests: 2, numFailedTests: 0, numRuntimeErrorTestSuites: 0 }, 1)).toEqual({ passed: 2, failed: 1 });
  });
});
