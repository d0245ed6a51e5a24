import base from '../../jest.config.mjs';

const [[pattern, [, swc]]] = Object.entries(base.transform);

export default {
  ...base,
  rootDir: '../..',
  transform: { [pattern]: ['<rootDir>/test/canaries/transform.mjs', swc] },
  setupFiles: [...(base.setupFiles ?? []), '<rootDir>/test/canaries/setup.cjs'],
  setupFilesAfterEnv: [...(base.setupFilesAfterEnv ?? []), '<rootDir>/test/canaries/setup-after-env.ts'],
  testMatch: process.env.FERRULE_LEAK === undefined ? base.testMatch : ['<rootDir>/test/canaries/leak.test.ts'],
};
