// Loaded first into every test. The runner loads its tracker of processes into all that a test starts, which costs
// each process and thread a loader of modules. Servers shall start in tests as they do at an operator's.
delete process.env['NODE_OPTIONS'];
process.execArgv = process.execArgv.filter((arg) => !arg.startsWith('--import='));
