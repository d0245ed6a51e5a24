import { createRequire } from 'node:module';

type Yaml = typeof import('yaml');

/** The one YAML parser. By require: its files are CommonJS, and an import would search each for the names of its exports first. */
const yaml = createRequire(import.meta.url)('yaml') as Yaml;

export const Composer: Yaml['Composer'] = yaml.Composer;
export const CST: Yaml['CST'] = yaml.CST;
export const isAlias: Yaml['isAlias'] = yaml.isAlias;
export const isMap: Yaml['isMap'] = yaml.isMap;
export const isScalar: Yaml['isScalar'] = yaml.isScalar;
export const isSeq: Yaml['isSeq'] = yaml.isSeq;
export const Lexer: Yaml['Lexer'] = yaml.Lexer;
export const Parser: Yaml['Parser'] = yaml.Parser;
