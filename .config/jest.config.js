export default {
  rootDir: '..',
  roots: ['<rootDir>/libs', '<rootDir>/services', '<rootDir>/deploy'],
  testEnvironment: 'node',
  testMatch: ['**/*.test.ts'],
  moduleFileExtensions: ['ts', 'mjs', 'js', 'json', 'node'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/.config/strip-types.mjs' },
  testSequencer: '<rootDir>/.config/longest-first.mjs',
  coverageProvider: 'v8',
  // Each starts clusters of its own: three at a time kept two processors at a load of ten.
  maxWorkers: 2,
  // Modules of files that are done stay in a worker's memory, and collecting among them takes more and more time.
  workerIdleMemoryLimit: '700MB',
  // A worker that has run a hundred files takes longer than jest's half second to end on a busy machine.
  workerGracefulExitTimeout: 10_000,
  // A test ends when it is done; this is for one that hangs, on a machine as slow and busy as any.
  testTimeout: 240_000,
};
