// SPDX-License-Identifier: MPL-2.0
// The npm package ws as an ordinary WebSocket peer that speaks ZWS 2.0 by hand, started by
// test_npm_ws.py. Prints "done" when everything went as it should.
//
//   node ws_program.js client SCENARIO ADDRESS [CA]
//   node ws_program.js server SCENARIO           "bound PORT" tells where
'use strict';
const fs = require('fs');
const WebSocket = require('ws');

function fail(why) {
    console.log('FAILED:', why);
    process.exit(1);
}

function check(actual, expected, what) {
    if (String(actual) !== String(expected))
        fail(`${what}: ${actual}, not ${expected}`);
}

// What arrives, in order, to be waited for.
class Peer {
    constructor(ws) {
        this.ws = ws;
        this.events = [];
        this.pongs = [];
        this.waiting = null;
        ws.on('message', data => this.push(['message', Buffer.from(data).toString('latin1')]));
        ws.on('pong', data => this.pongs.push(data.toString()));
        ws.on('ping', data => this.push(['ping', data.toString()]));
        ws.on('close', code => this.push(['close', code]));
        ws.on('error', error => this.push(['error', error.message]));
    }

    push(event) {
        this.events.push(event);
        if (this.waiting)
            this.waiting();
    }

    async next(kind) {
        while (this.events.length === 0)
            await new Promise(resolve => { this.waiting = resolve; });
        const [got, value] = this.events.shift();
        check(got, kind, `event (${value})`);
        return value;
    }

    async expect(kind, value) {
        check(JSON.stringify(await this.next(kind)), JSON.stringify(value), kind);
    }

    // READY both ways, as a peer with the NULL mechanism.
    async ready(type, identity) {
        const field = (name, value) => {
            const size = Buffer.alloc(4);
            size.writeUInt32BE(value.length);
            return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), size, Buffer.from(value)]);
        };
        const fields = [field('Socket-Type', type), field('Identity', identity)];
        this.ws.send(Buffer.concat([Buffer.from('\x02\x05READY'), ...fields]));
        check((await this.next('message')).slice(0, 7), '\x02\x05READY', 'READY');
    }

    // Of several pings only the last one must be answered.
    async lastPong(value) {
        while (this.pongs[this.pongs.length - 1] !== value)
            await new Promise(resolve => this.ws.once('pong', resolve));
    }

    fragments(...pieces) {
        pieces.forEach((piece, i) => {
            this.ws.send(Buffer.from(piece), {fin: i === pieces.length - 1});
            this.ws.ping(`between ${i}`);
        });
    }
}

const exchanges = {
    // Both sides in the NULL mechanism: fragments, pings between them, and a goodbye.
    async fragments(peer) {
        peer.fragments('\x01he', '', 'llo', '');
        await peer.lastPong('between 3');
        peer.ws.send(Buffer.from('\0end'));
        await peer.expect('message', '\x01hello');
        await peer.expect('message', '\0end');
        peer.ws.close(3210, 'bye');
        await peer.expect('close', 3210);
    },
    async large(peer) {
        const big = Buffer.alloc(5000001, 'abcdefg');
        big[0] = 0;
        for (let i = 0; i < 3; i++) {
            peer.ws.send(big);
            check(Buffer.from(await peer.next('message'), 'latin1').equals(big), true, 'content');
        }
        peer.ws.close(1000);
        await peer.expect('close', 1000);
    },
    async flood(peer) {
        for (let i = 0; i < 5000; i++)
            peer.ws.send(Buffer.from(`\0number ${i}`));
        for (let i = 0; i < 5000; i++)
            await peer.expect('message', `\0number ${i}`);
        peer.ws.close(1000);
        await peer.expect('close', 1000);
    },
    // What ends the connection, with which code.
    async text(peer) {
        peer.ws.send('\0text');
        await peer.expect('close', 1003);
    },
    async wrong_mask(peer, client) {
        peer.ws.send(Buffer.from('\0x'), {mask: !client});
        await peer.expect('close', 1002);
    },
    async empty(peer) {
        peer.ws.send(Buffer.alloc(0));
        await peer.expect('close', 1002);
    },
    async oversized(peer) {
        peer.ws.send(Buffer.alloc(100002));
        await peer.expect('close', 1009);
    },
    async reserved_flags(peer) {
        peer.ws.send(Buffer.from('\x10x'));
        await peer.expect('close', 1002);
    },
    // Ends without a goodbye.
    async torn(peer) {
        peer.ws.send(Buffer.from('\0half'), {fin: false});
        peer.ws.terminate();
        await peer.expect('close', 1006);
    },
};

function done() {
    console.log('done');
    process.exit(0);
}

async function runClient(scenario, address, ca) {
    const options = {perMessageDeflate: true, ca: ca && fs.readFileSync(ca)};
    const ws = new WebSocket(address, ['mqtt', 'ZWS2.0/NULL', 'ZWS2.0'], options);
    const peer = new Peer(ws);
    if (scenario === 'refused') {
        await peer.next('error');
        return done();
    }
    await new Promise(resolve => ws.on('open', resolve));
    check(ws.protocol, 'ZWS2.0/NULL', 'protocol');
    check(ws.extensions, '', 'extensions');
    await peer.ready('DEALER', 'me');
    await exchanges[scenario](peer, true);
    done();
}

function runServer(scenario) {
    const server = new WebSocket.Server({host: '127.0.0.1', port: 0, perMessageDeflate: true});
    server.on('listening', () => console.log('bound', server.address().port));
    server.once('connection', async ws => {
        const peer = new Peer(ws);
        check(ws.protocol, 'ZWS2.0/NULL', 'protocol');
        await peer.ready('DEALER', '');
        await exchanges[scenario](peer, false);
        done();
    });
}

process.on('uncaughtException', error => fail(error.stack));
process.on('unhandledRejection', error => fail(error.stack));
const [side, ...rest] = process.argv.slice(2);
Promise.resolve((side === 'client' ? runClient : runServer)(...rest));
