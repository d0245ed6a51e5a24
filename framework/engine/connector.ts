import type { SpecDocument } from '../core/spec-types.gen.ts';
import { bundledCatalogue, type Catalogue } from '../spec/catalogue.ts';
import { readySpec } from '../spec/ready-spec.ts';
import { type ConnectOptions, connectSpec, connectStored, type Inputs } from './connect.ts';
import type { Connection } from './connection.ts';

/** A stored credential in place of inputs; needs `store` in the options. */
export interface StoredCredential {
  credential: string;
}

export interface CatalogueOptions {
  /** Where connectors are looked for by name. Default: the bundled ones. */
  catalogue?: Catalogue;
}

export type ConnectByNameOptions = ConnectOptions & CatalogueOptions;

/** A spec, ready to connect with. */
export interface Connector {
  readonly name: string;
  readonly spec: SpecDocument;
  connect(inputs: Inputs | StoredCredential, options?: ConnectOptions): Promise<Connection>;
}

/** Loads a connector's file. Throws spec_unreadable or spec_invalid, the latter with all findings. */
export async function loadConnector(path: string): Promise<Connector> {
  const spec = await readySpec(path);
  return {
    name: spec.name,
    spec,
    connect: (inputs, options = {}) =>
      'credential' in inputs ? connectStored(spec, inputs.credential, options) : connectSpec(spec, inputs, options),
  };
}

/** Finds the connector by name, loads it, and opens a connection. */
export async function connectByName(
  name: string,
  inputs: Inputs | StoredCredential,
  options: ConnectByNameOptions = {},
): Promise<Connection> {
  const { catalogue = bundledCatalogue(), ...rest } = options;
  const { path } = await catalogue.find(name);
  return (await loadConnector(path)).connect(inputs, rest);
}
