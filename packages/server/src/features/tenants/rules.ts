/**
 * The form of a tenant's name, and the registrations that it admits.
 * @module
 */

/** The registrations that a tenant admits: all, those with an invitation, none. */
export const registrationModes = ['open', 'invited', 'closed'] as const;

/** One of {@link registrationModes}. */
export type RegistrationMode = (typeof registrationModes)[number];

/**
 * The mode of a tenant that an operator makes without naming one. An open tenant takes strangers, so
 * the operator must ask for it (docs/decisions/0026-who-may-register.md).
 */
export const usualRegistration: RegistrationMode = 'invited';

/**
 * Whether a person may register. An administrator may make an account in any mode.
 * @param isInvited whether the registration brings an invitation to this tenant that is still good
 */
export const admitsRegistration = (mode: RegistrationMode, isInvited: boolean): boolean =>
  mode === 'open' || (mode === 'invited' && isInvited);

/**
 * Lower-case letters, digits and dashes, 1 to 63 characters, beginning with a letter or digit, so
 * that it can stand in a host name.
 */
export const tenantNamePattern = '^[a-z0-9][a-z0-9-]{0,62}$';
