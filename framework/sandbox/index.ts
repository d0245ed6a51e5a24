export { startSandbox } from './sandbox.ts';
export type {
  Change,
  Changed,
  Fault,
  FaultKind,
  JobOptions,
  Key,
  RecordedRequest,
  Sandbox,
  SandboxInputs,
  SandboxJob,
  SandboxOptions,
} from './types.ts';
