/** Too high to be reached, but counted: one machine makes the calls of a thousand. */
export const countedLimits = { '*': { requests: 1_000_000_000, perSeconds: 60 } };
