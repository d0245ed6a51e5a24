import base from '../../jest.config.mjs';

export default { ...base, rootDir: '../..', testMatch: ['<rootDir>/test/integration/**/*.test.ts'], testTimeout: 60000, maxWorkers: 1 };
