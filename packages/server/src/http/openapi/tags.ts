/**
 * The groups of the API's description: operations that a reader needs together.
 * @module
 */

/** A group of operations. */
export interface Tag {
  readonly name: string;
  readonly description: string;
  /** Beginnings of the paths that belong here. */
  readonly paths: readonly string[];
}

/** In the order of the page. A path belongs to the group that names the longest beginning of it. */
const tagTable: readonly Tag[] = [
  { name: 'Accounts', description: 'A person’s login in a tenant.', paths: ['/auth/'] },
  {
    name: 'Sessions',
    description: 'Sign in, refresh, sign out. When a sign-out has answered 200, no process accepts its token any more.',
    paths: ['/auth/login', '/auth/refresh', '/oauth/', '/auth/logout', '/auth/sessions'],
  },
  {
    name: 'Access tokens',
    description: 'A resource server accepts an access token, or refuses it with a reason.',
    paths: ['/auth/verify', '/auth/gateway', '/oauth/introspect', '/api/'],
  },
  {
    name: 'Keys and metadata',
    description: 'Public and cacheable: for checking a signature without asking this service.',
    paths: ['/.well-known/'],
  },
  { name: 'Administration', description: 'For operators. Each needs an admin key.', paths: ['/admin/'] },
  { name: 'Service', description: 'The state of the service, and its description of itself.', paths: ['/'] },
];

/** How much of a path a group names at most, characters. */
const closeness = ({ paths }: Tag, path: string): number =>
  Math.max(0, ...paths.map((beginning) => (path.startsWith(beginning) ? beginning.length : 0)));

/** The group of a path. */
export const tagOf = (path: string): Tag =>
  tagTable.reduce((best, tag) => (closeness(tag, path) > closeness(best, path) ? tag : best));

/** The groups of these paths, in the order of the page. */
export const tagsOf = (paths: readonly string[]): readonly Tag[] => {
  const used = new Set(paths.map(tagOf));
  return tagTable.filter((tag) => used.has(tag));
};
