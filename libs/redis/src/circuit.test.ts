import { describe, expect, it } from '@jest/globals';
import { createCircuit } from './circuit.ts';

describe('the circuit', () => {
  it('lets one call in each second find out whether the store is back', () => {
    let now = 0;
    const circuit = createCircuit(() => now);
    for (let failure = 0; failure < 3; failure += 1) {
      expect(circuit.allows()).toBe(true);
      circuit.failed();
    }
    expect(circuit.allows()).toBe(false);
    now = 1000;
    expect([circuit.allows(), circuit.allows()]).toEqual([true, false]);
    circuit.failed();
    now = 2000;
    expect([circuit.allows(), circuit.allows()]).toEqual([true, false]);
    circuit.succeeded();
    expect([circuit.allows(), circuit.allows()]).toEqual([true, true]);
  });

  it('stays closed over failures that do not follow each other', () => {
    const circuit = createCircuit(() => 0);
    for (let round = 0; round < 5; round += 1) {
      circuit.failed();
      circuit.failed();
      circuit.succeeded();
    }
    expect(circuit.allows()).toBe(true);
  });
});
