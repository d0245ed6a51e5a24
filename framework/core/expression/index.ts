export { compile, compileOrThrow } from './compile.ts';
export { FUNCTIONS, type FunctionDoc } from './functions.ts';
export { split } from './split.ts';
export { evaluateCondition, evaluateNumber, evaluateText } from './template.ts';
export type { Compiled, Kind, Part, Place, Problem, Scope, ScopeEntry, ScopeType, Stands, Template, Vars } from './types.ts';
