/** The attributes that every client of the comparison asks for: those that extract always reads, and these. */
import { ALWAYS_READ } from '../../engine/extract/extract.js';

/** What an administrator might add: a person then has 23 attributes. */
export const ADDITIONAL: readonly string[] = [
  'sn',
  'givenName',
  'sAMAccountName',
  'title',
  'department',
  'telephoneNumber',
  'mobile',
  'street',
  'l',
  'st',
  'postalCode',
  'physicalDeliveryOfficeName',
  'employeeNumber',
  'description',
];

export const ASKED: readonly string[] = [...ALWAYS_READ, ...ADDITIONAL];
