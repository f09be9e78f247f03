/**
 * What a tenant name is.
 * @module
 */

/** Lower-case letters, digits and dashes, 1 to 63 characters, starting with a letter or digit: usable in a host name later. */
export const tenantNamePattern = '^[a-z0-9][a-z0-9-]{0,62}$';
