/** The account's own tests, on PostgreSQL: the very same, read here a second time. */
import { createRequire } from 'node:module';
import { type TestPostgres, startPostgres } from '../support/postgres.js';

const load = createRequire(__filename);
const SUITES = [
  'rules',
  'edges',
  'addresses',
  'leaving',
  'limits',
  'runs',
  'review',
  'find',
  'parts',
  'histories',
  'readings',
  'older-stores',
];

describe('an account in PostgreSQL', function () {
  this.timeout(180_000);
  let postgres: TestPostgres;
  before(async () => {
    postgres = await startPostgres();
    process.env['ACCOUNT_STORE'] = postgres.url;
  });
  after(async () => {
    delete process.env['ACCOUNT_STORE'];
    await postgres.stop();
  });

  for (const suite of SUITES) load(`../unit/account/${suite}.test.js`);
});
