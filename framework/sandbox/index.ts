export { startSandbox } from './sandbox.ts';
export type { Fault, FaultKind, RecordedRequest, Sandbox, SandboxInputs, SandboxOptions } from './types.ts';
