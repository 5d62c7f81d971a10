// M-Lab's own client against one of our servers: node ndt7_client.js NODE_MODULES HOST:PORT TOKEN
// It is written for browsers and asks for Worker and WebSocket; both are given it here, unchanged otherwise.
'use strict';
const path = require('path');
const fs = require('fs');
const threads = require('worker_threads');
const [modules, server, token] = process.argv.slice(2);
const source = path.join(modules, '@m-lab', 'ndt7', 'src');

global.Worker = class {
  constructor(file) {
    const begin = `
      const {parentPort} = require('worker_threads');
      global.self = global;
      global.WebSocket = require(${JSON.stringify(path.join(modules, 'ws'))});
      global.postMessage = (data) => parentPort.postMessage(data);
      parentPort.on('message', (data) => self.onmessage({data}));
    `;
    this.worker = new threads.Worker(begin + fs.readFileSync(file, 'utf8'), {eval: true});
    this.worker.on('message', (data) => this.onmessage({data}));
    this.worker.on('error', (error) => this.onmessage({data: {MsgType: 'error', Error: String(error)}}));
  }
  postMessage(data) {
    this.worker.postMessage(data);
  }
  terminate() {
    this.worker.terminate();
  }
};

const ndt7 = require(path.join(source, 'ndt7.js'));
const result = {errors: [], servers: {download: 0, upload: 0}};
ndt7.test({
  userAcceptedDataPolicy: true,
  protocol: 'ws',
  server: server,
  metadata: {access_token: token},
  downloadworkerfile: path.join(source, 'ndt7-download-worker.js'),
  uploadworkerfile: path.join(source, 'ndt7-upload-worker.js'),
}, {
  downloadMeasurement: (said) => { result.servers.download += said.Source === 'server'; },
  uploadMeasurement: (said) => { result.servers.upload += said.Source === 'server'; },
  downloadComplete: (data) => { result.download = data; },
  uploadComplete: (data) => { result.upload = data; },
  error: (error) => { result.errors.push(String(error)); },
}).then((code) => {
  result.code = code;
  fs.writeSync(1, JSON.stringify(result) + '\n');
  process.exit(0);
});
