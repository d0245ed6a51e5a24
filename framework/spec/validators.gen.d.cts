import type { ErrorObject } from 'ajv';

/** Precompiled from schemas/; its `errors` are those of the last call. */
export const connector: { (data: unknown): boolean; errors?: ErrorObject[] | null };
