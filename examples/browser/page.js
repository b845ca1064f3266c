// SPDX-License-Identifier: MPL-2.0
// The page's two sockets, both by jszmq: prices from a PUB, questions to a REP.
import * as zmq from 'jszmq';

// index.html?ticks=ws://...&questions=ws://... for other places than the usual ones.
const query = new URLSearchParams(location.search);
const ticksEndpoint = query.get('ticks') || 'ws://127.0.0.1:5555';
const questionsEndpoint = query.get('questions') || 'ws://127.0.0.1:5556';
document.getElementById('endpoints').textContent = `${ticksEndpoint}, ${questionsEndpoint}`;

const stocks = new Map();

function newRow(symbol) {
    const row = document.getElementById('ticks').insertRow();
    const cells = Array.from({length: 4}, () => row.insertCell());
    cells[0].textContent = symbol;
    const canvas = row.insertCell().appendChild(document.createElement('canvas'));
    canvas.width = 120;
    canvas.height = 24;
    return {cells, canvas, prices: [], count: 0};
}

function drawCourse(canvas, prices) {
    const pen = canvas.getContext('2d');
    const low = Math.min(...prices), span = Math.max(...prices) - low || 1;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.beginPath();
    prices.forEach((price, i) => pen.lineTo(i * 2, 22 - 20 * (price - low) / span));
    pen.strokeStyle = '#3057a5';
    pen.stroke();
}

function onTick(symbol, price) {
    if (!stocks.has(symbol))
        stocks.set(symbol, newRow(symbol));
    const stock = stocks.get(symbol);
    const last = stock.prices[stock.prices.length - 1] ?? price;
    stock.prices = [...stock.prices, price].slice(-60);
    stock.count++;
    const change = price - last;
    stock.cells[1].textContent = price.toFixed(2);
    stock.cells[2].textContent = (change > 0 ? '+' : '') + change.toFixed(2);
    stock.cells[2].className = change > 0 ? 'up' : change < 0 ? 'down' : '';
    stock.cells[3].textContent = stock.count;
    drawCourse(stock.canvas, stock.prices);
}

const ticks = new zmq.Sub();
ticks.connect(ticksEndpoint);
ticks.subscribe(''); // everything; subscribe('ACME') for one of them
ticks.on('message', (symbol, price) => onTick(symbol.toString(), Number(price.toString())));

// A REQ takes the next question only after the answer to the one before.
const questions = new zmq.Req();
const button = document.getElementById('ask');
questions.connect(questionsEndpoint);
questions.on('message', answer => {
    document.getElementById('answer').textContent = answer.toString();
    button.disabled = false;
});
button.addEventListener('click', () => {
    button.disabled = true;
    questions.send('ACME');
});
