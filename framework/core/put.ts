import type { Json, JsonObject } from './value.ts';

/** Gives a record a key of data, whatever it is called: assigning `__proto__` would set the prototype. */
export function put(record: JsonObject, key: string, value: Json): void {
  if (key === '__proto__') Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
  else record[key] = value;
}
