/** The keys and the path that the tests of the transport use. */
export const KEY = { id: 'site-1', key: 'a shared key for tests, 32 characters or more' };
export const OTHER_KEY = { id: 'site-2', key: 'the key of another site, quite as long as it' };
export const PATH = '/directory-sync';
