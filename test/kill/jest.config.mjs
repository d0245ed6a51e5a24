import base from '../../jest.config.mjs';

// In a row: what is measured here is processes against one another, not tests.
export default { ...base, rootDir: '../..', testMatch: ['<rootDir>/test/kill/**/*.test.ts'], testTimeout: 120000, maxWorkers: 1 };
