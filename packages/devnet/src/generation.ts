/** Which record the validator wrote: `account-size` (since August 2025) has `account_size` in every position. */
export type Generation = '2025' | 'account-size';
