import base from '../../jest.config.mjs';

const [[pattern, [, swc]]] = Object.entries(base.transform);

export default {
  ...base,
  rootDir: '../..',
  transform: { [pattern]: ['<rootDir>/test/canaries/transform.mjs', swc] },
  setupFiles: [...(base.setupFiles ?? []), '<rootDir>/test/canaries/setup.cjs'],
  setupFilesAfterEnv: [...(base.setupFilesAfterEnv ?? []), '<rootDir>/test/canaries/setup-after-env.ts'],
  // Fuzzing looks for its secrets itself, since it also gives them to those who do not hold them.
  testMatch:
    process.env.FERRULE_LEAK === undefined
      ? base.testMatch.filter((one) => !one.includes('/fuzz/'))
      : ['<rootDir>/test/canaries/leak.test.ts'],
};
