import type { SpecDocument } from '../../framework/core/spec-types.gen.ts';
import { acme } from '../acme.ts';

/** A stream of each kind. */
export const runSpec = (): SpecDocument =>
  acme(`auth: { none: none }
defaults:
  records: data
  primary_key: [id]
  paginate: { type: offset, offset: query.offset, page_size: 200, stop: short_page }
streams:
  pages: { get: /pages }
  whole: { get: /whole }
  changes:
    get: /changes
    query: { since: '\${window.start}', until: '\${window.end}' }
    paginate: { type: next_token, from: next, into: query.after }
    cursor: { field: at, format: iso_ms, window: { max: 2d, end: exclusive }, start: 30d, lookback: 1h }
  events:
    get: /events
    query: { since: '\${window.start}', until: '\${window.end}' }
    cursor: { field: at, format: iso_ms, window: { max: 3d, end: exclusive }, start: 30d }
  projects: { get: /projects, paginate: { type: offset, offset: query.offset, page_size: 20, stop: short_page } }
  comments:
    parent: projects
    get: '/projects/\${parent.id}/comments'
    query: { since: '\${window.start}' }
    paginate: { type: offset, offset: query.offset, page_size: 20, stop: short_page }
    cursor: { field: at, format: iso_ms }
  members:
    parent: projects
    get: '/projects/\${parent.id}/members'
    paginate: { type: offset, offset: query.offset, page_size: 20, stop: short_page }
  topics:
    get: /topics
    query: { since: '\${window.start}' }
    paginate: { type: offset, offset: query.offset, page_size: 20, stop: short_page }
    cursor: { field: at, format: iso_ms }
  notes: { parent: topics, parents: changed, get: '/topics/\${parent.id}/notes', paginate: none }
  report:
    records: $
    types: { id: integer, amount: number }
    paginate: none
    cursor: { field: at, format: iso_ms, window: { max: 4d, end: exclusive }, start: 30d }
    job:
      create: { post: /jobs, body: { from: '\${window.start}', to: '\${window.end}' }, capture: { id: id } }
      poll: { get: '/jobs/\${job.id}', every: 20ms, timeout: 2m }
      status: state
      states: { done: [ready], running: [queued] }
      download: { get: '/jobs/\${job.id}/file', decode: [csv] }
      clean_up: { delete: '/jobs/\${job.id}' }
      at_once: 2
  dump: { get: /dump, records: data.list, paginate: none }
`);
