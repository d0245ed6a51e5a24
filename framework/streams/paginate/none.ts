import type { PaginateNone } from '../../core/spec-types.gen.ts';
import type { PaginateStrategy } from './types.ts';

export const none: PaginateStrategy<PaginateNone> = { type: 'none', create: () => ({ first: () => ({}), next: () => undefined }) };
