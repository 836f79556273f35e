export default {
  rootDir: '..',
  roots: ['<rootDir>/libs', '<rootDir>/services', '<rootDir>/deploy'],
  testEnvironment: '<rootDir>/.config/jest/environment.mjs',
  injectGlobals: false,
  runtime: '<rootDir>/.config/jest/runtime.mjs',
  testMatch: ['**/*.test.ts'],
  moduleFileExtensions: ['ts', 'mjs', 'js', 'json', 'node'],
  // Node removes the types.
  transform: {},
  testSequencer: '<rootDir>/.config/longest-first.mjs',
  // Each starts clusters of its own: three at a time kept two processors at a load of ten.
  maxWorkers: 2,
  // Memory of files that are done stays in a worker: one held 3.4 GB after a hundred of them.
  workerIdleMemoryLimit: '700MB',
  // A worker that has run a hundred files takes longer than jest's half second to end on a busy machine.
  workerGracefulExitTimeout: 10_000,
  // A test ends when it is done; this is for one that hangs, on a machine as slow and busy as any.
  testTimeout: 240_000,
};
