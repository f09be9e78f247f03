/**
 * The form of a tenant's name.
 * @module
 */

/**
 * Lower-case letters, digits and dashes, 1 to 63 characters, beginning with a letter or digit, so
 * that it can stand in a host name.
 */
export const tenantNamePattern = '^[a-z0-9][a-z0-9-]{0,62}$';
