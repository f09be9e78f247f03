/**
 * `catalytic tenants`: the isolated customers of the deployment.
 * @module
 */
import { type Command, Option as Flag } from 'commander';
import { ConfigError } from '../config/read-config.ts';
import { cliOrigin } from '../features/audit/origins.ts';
import { nextCursorOf } from '../features/route.ts';
import { administeredTenant, operator } from '../features/tenants/administered-tenant.ts';
import { createTenant } from '../features/tenants/create-tenant.ts';
import { setRegistration } from '../features/tenants/invite.ts';
import { listTenants } from '../features/tenants/list-tenants.ts';
import { type RegistrationMode, registrationModes, usualRegistration } from '../features/tenants/rules.ts';
import type { Tenant } from '../features/tenants/store.ts';
import { resumeTenant, suspendTenant } from '../features/tenants/suspend-tenant.ts';
import {
  adminCommand,
  adminGroup,
  administer,
  print,
  propagationFields,
  propagationText,
  table,
  tenantName,
} from './administer.ts';

/** Parses a name given as an argument: commander has no parser for arguments. */
const named = (text: string): string => {
  try {
    return tenantName(text);
  } catch (error) {
    throw new ConfigError(`Cannot use "${text}": ${(error as Error).message}`);
  }
};

interface Options {
  readonly json?: boolean;
}

interface ListOptions extends Options {
  readonly cursor?: string;
}

interface CreateOptions extends Options {
  readonly registration: RegistrationMode;
}

const create = async (name: string, { json, registration }: CreateOptions, command: Command): Promise<void> => {
  const tenant = await administer(command, (context) =>
    createTenant(context, operator, { name: named(name), registration }, cliOrigin),
  );
  print(json, tenant, [`Tenant ${tenant.name} is made: ${tenant.id}. ${registrationText(tenant)}`]);
};

const registrationText = ({ registration }: Tenant): string =>
  ({
    open: 'Anyone may register in it.',
    invited: 'People with an invitation may register in it: "accounts invite".',
    closed: 'It admits no registration; administrators make its accounts.',
  })[registration];

const register = async (name: string, mode: string, options: Options, command: Command): Promise<void> => {
  const registration = registrationModes.find((known) => known === mode);
  if (registration === undefined) throw new ConfigError(`Cannot use "${mode}": give ${registrationModes.join(', ')}`);
  const tenant = await administer(command, async (context) => {
    const { id } = await administeredTenant(context.tenants, operator, named(name));
    return setRegistration(context, operator, id, registration, cliOrigin);
  });
  print(options.json, tenant, [`Tenant ${tenant.name}: ${registrationText(tenant)}`]);
};

const list = async (options: ListOptions, command: Command): Promise<void> => {
  const { tenants, nextCursor } = await administer(command, (context) =>
    listTenants(context.tenants, operator, options.cursor),
  );
  print(options.json, { tenants, ...nextCursorOf(nextCursor) }, [
    ...table([
      ['id', 'status', 'registration', 'name'],
      ...tenants.map(({ id, status, registration, name }) => [id, status, registration, name]),
    ]),
    ...(nextCursor === undefined ? [] : [`There are more: --cursor ${nextCursor}`]),
  ]);
};

const suspend = async (name: string, options: Options, command: Command): Promise<void> => {
  const { id, result } = await administer(command, async (context) => {
    const tenant = await administeredTenant(context.tenants, operator, named(name));
    return { id: tenant.id, result: await suspendTenant(context, operator, tenant.id, cliOrigin) };
  });
  print(options.json, { id, name, revoked: true, ...propagationFields(result) }, [
    `Tenant ${name} is suspended. ${propagationText(result)}`,
  ]);
};

const resume = async (name: string, options: Options, command: Command): Promise<void> => {
  const tenant = await administer(command, async (context) => {
    const { id } = await administeredTenant(context.tenants, operator, named(name));
    return resumeTenant(context, operator, id, cliOrigin);
  });
  print(options.json, tenant, [`Tenant ${tenant.name} is active; everybody in it signs in again.`]);
};

/** The commands. */
export const tenantsCommand = (): Command => {
  const group = adminGroup('tenants', 'The isolated customers of the deployment.', [
    ['tenants create acme', 'a tenant that logins name with {"tenant": "acme"}'],
    ['tenants set-registration default closed', 'no registrations any more; administrators make the accounts'],
    ['tenants list --json', 'a page of tenants, for scripts'],
    ['tenants suspend acme', 'every process rejects its tokens from now on, and sign-ins and registrations'],
    ['tenants resume acme', 'it is active again; everybody signs in once'],
  ]);
  adminCommand(group, 'create <name>', 'Make a tenant. The name has lower-case letters, digits and dashes.')
    .addOption(
      new Flag('--registration <mode>', 'registrations that it admits: all, those with an invitation, none')
        .choices(registrationModes)
        .default(usualRegistration),
    )
    .action(create);
  adminCommand(
    group,
    'set-registration <name> <mode>',
    `Change the registrations that a tenant admits: ${registrationModes.join(', ')}.`,
  ).action(register);
  adminCommand(group, 'list', 'Show tenants by name, a page at a time.')
    .addOption(new Flag('--cursor <name>', 'continue after this tenant').argParser(tenantName))
    .action(list);
  adminCommand(group, 'suspend <name>', 'Suspend a tenant. Returns when every process rejects its tokens.').action(
    suspend,
  );
  adminCommand(group, 'resume <name>', 'Make a suspended tenant active.').action(resume);
  return group;
};
