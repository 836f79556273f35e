export default {
  rootDir: '..',
  roots: ['<rootDir>/libs', '<rootDir>/services', '<rootDir>/deploy'],
  testEnvironment: 'node',
  testMatch: ['**/*.test.ts'],
  moduleFileExtensions: ['ts', 'mjs', 'js', 'json', 'node'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/.config/strip-types.mjs' },
  coverageProvider: 'v8',
  maxWorkers: 2,
  testTimeout: 60_000,
};
