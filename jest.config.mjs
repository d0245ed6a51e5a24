import { availableParallelism } from 'node:os';

export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: [
    '<rootDir>/test/unit/**/*.test.ts',
    '<rootDir>/test/lint/**/*.test.ts',
    '<rootDir>/test/scenarios/**/*.test.ts',
    '<rootDir>/test/auth/**/*.test.ts',
    '<rootDir>/test/fuzz/**/*.test.ts',
    '<rootDir>/test/peers/**/*.test.ts',
  ],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }] },
  testTimeout: 20000,
  // Jest's own default leaves one of two processors idle.
  maxWorkers: Math.max(2, availableParallelism() - 1),
};
