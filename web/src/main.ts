import { mount } from 'svelte';
import './app.css';
import App from './App.svelte';
import { preferences } from './lib/preferences.svelte';
import { desk } from './lib/store.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('the page has no element #app');
preferences.start();
mount(App, { target });
desk.start();
