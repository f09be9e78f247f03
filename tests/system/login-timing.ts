/**
 * The old name of `npm run bench -- login-timing`, kept for one version: its only word is the count.
 * @module
 */
const [, , count] = process.argv;
if (count !== undefined && !count.startsWith('-')) process.argv.splice(2, 1, '--count', count);
await import('../../bench/login-timing.ts');
