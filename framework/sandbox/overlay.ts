/** What has become different since the sandbox began: everything else is still a function of the seed. */
export interface Overlay {
  /** Index → how often that record was changed. */
  versions: Map<number, number>;
  /** Index → its cursor's new value. */
  moved: Map<number, number>;
  gone: Set<number>;
  /** Records that came in, in order: their indexes follow those of the first ones. */
  added: { part: number; cursor: number | undefined }[];
}

export const overlay = (): Overlay => ({ versions: new Map(), moved: new Map(), gone: new Set(), added: [] });
