/**
 * Rows of guards in a database that takes the place of another one.
 * @module
 */
import { guardLeaseMsMax } from '@catalytic/protocol/guards';

/**
 * A row that stands for the guards that a restored database does not know: they may have registered
 * after the backup was made, and their leases run on. It is leaving, so revocations wait until it is
 * removed after a full wait.
 */
export const formerGuards = { name: 'guards of the time before', leaseMs: guardLeaseMsMax } as const;
