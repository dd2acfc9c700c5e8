import { createContext, useContext } from 'react';
import type { Role } from '../api/types';

/** What the role lets one do; the server decides, this only spares people buttons that would be refused. */
export type Permissions = { write: boolean; deleteAccounts: boolean };

export function permissionsOf(role: Role): Permissions {
  return { write: role !== 'viewer', deleteAccounts: role === 'owner' };
}

export const PermissionsProvider = createContext<Permissions>({ write: false, deleteAccounts: false });

export function usePermissions(): Permissions {
  return useContext(PermissionsProvider);
}
