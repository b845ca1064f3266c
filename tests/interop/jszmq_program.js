// SPDX-License-Identifier: MPL-2.0
// A program on jszmq, the ZeroMQ of JavaScript, started by test_jszmq.py:
//
//   node jszmq_program.js echo TYPE VERB ADDRESS
//   node jszmq_program.js forward TYPE VERB ADDRESS TYPE VERB ADDRESS [TOPIC]
//   node jszmq_program.js ask TYPE ADDRESS COUNT
//   node jszmq_program.js topics ADDRESS
//
// VERB is bind or connect. "bound PORT" tells the port of each bind to port 0; "done" is the end.
'use strict';
const zmq = require('jszmq');
const {Buffer} = zmq;

function open(type, verb, address) {
    const socket = zmq.socket(type);
    socket.options.reconnectInterval = 10;
    socket[verb](address);
    if (verb === 'bind') {
        const server = socket.binds[0].server;
        // Left alone it takes whatever a client offers first, also ZWS2.0/NULL, which it cannot speak.
        server.options.handleProtocols = () => 'ZWS2.0';
        server.on('listening', () => console.log('bound', server.address().port));
    }
    return socket;
}

function fail(why) {
    console.log('FAILED:', why);
    process.exit(1);
}

function done() {
    console.log('done');
    process.exit(0);
}

function content(number, size) {
    const data = Buffer.alloc(size);
    for (let i = 0; i < size; i++)
        data[i] = (i * 31 + number) % 256;
    return data;
}

function equal(frames, expected) {
    return frames.length === expected.length && frames.every((f, i) => f.equals(expected[i]));
}

function echo(type, verb, address) {
    const socket = open(type, verb, address);
    socket.on('message', (...frames) => socket.send(frames));
}

// From the first socket to the second one. A publisher begins when somebody has subscribed.
function forward(inType, inVerb, inAddress, outType, outVerb, outAddress, topic) {
    const output = open(outType, outVerb, outAddress);
    const start = () => {
        const input = open(inType, inVerb, inAddress);
        if (inType === 'sub')
            input.subscribe(topic);
        input.on('message', (...frames) => output.send(frames));
    };
    if (outType === 'xpub')
        output.once('message', start);
    else
        start();
}

const SIZES = [0, 1, 33, 123, 124, 125, 126, 255, 65534, 65535, 65536, 300000];

// One request at a time, each of one to three parts; every answer must be its request.
function ask(type, address, count) {
    const socket = open(type, 'connect', address);
    let sent = 0, expected;
    const next = () => {
        if (sent === Number(count))
            return done();
        expected = [];
        for (let part = 0; part <= sent % 3; part++)
            expected.push(content(sent, SIZES[(sent + part) % SIZES.length]));
        sent++;
        socket.send(expected.slice());
    };
    socket.on('message', (...frames) => {
        if (!equal(frames, expected))
            fail(`answer ${sent} has ${frames.map(f => f.length)} octets`);
        next();
    });
    next();
}

// Prints what a subscriber to "a" gets; "a cancel" makes it want "b" instead.
function topics(address) {
    const socket = open('sub', 'connect', address);
    socket.subscribe('a');
    socket.on('message', (...frames) => {
        const text = frames.map(f => f.toString()).join('+');
        console.log('got', text);
        if (text === 'a cancel') {
            socket.unsubscribe('a');
            socket.subscribe(Buffer.from('b'));
        }
        if (text === 'b end')
            done();
    });
}

process.on('uncaughtException', error => fail(error.stack));
const [scenario, ...rest] = process.argv.slice(2);
({echo, forward, ask, topics})[scenario](...rest);
