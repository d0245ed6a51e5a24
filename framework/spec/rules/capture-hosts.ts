import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'capture-hosts',
  severity: 'error',
  summary: 'A captured url or host without `hosts`.',
  why: 'The provider says where the next request and its credential go: the spec must say which hosts are right.',
  bad: 'capture: { api: { path: instance_url, type: url } }',
  good: 'capture: { api: { path: instance_url, type: url, hosts: ["*.acme.com"] } }',
  check: ({ leaves, source, tree }, report) => {
    for (const leaf of leaves) {
      const { node, key, up } = leaf;
      if (key !== 'type' || (node.text !== 'url' && node.text !== 'host') || up?.up?.key !== 'capture') continue;
      const { path } = leaf;
      // A job's result may lie anywhere: to another host it is asked for without the credential.
      if (path[2] === 'job' && (path[0] === 'streams' || path[0] === 'templates')) continue;
      const hosts = [...path.slice(0, -1), 'hosts'];
      // Hosts with a mistake in them were left out of the tree, and have a finding of their own.
      if (tree.node(hosts) !== undefined || source.node(hosts) !== undefined) continue;
      report(path.slice(0, -1), `The capture \`${String(path.at(-2))}\` may become a host but lists no \`hosts\`.`, {
        part: 'key',
        hint: 'Write `hosts: ["*.acme.com"]`; `same` is the host it came from.',
      });
    }
  },
};
