/**
 * The old name of `npm run bench -- away`, kept for one version.
 * @module
 */
import '../../bench/away.ts';
