//! Pure: tests of the room, against a simple model.

use std::collections::BTreeSet;

use base::random::Random;

use super::{Message, PubSub, Topic};
use crate::client::{ClientId, Clients};

const TOPICS: [Topic; 3] = [Topic::Channel, Topic::Pattern, Topic::ShardChannel];
const NO_LIMIT: usize = usize::MAX;

fn subscribe(room: &mut PubSub, clients: &mut Clients, id: ClientId, topic: Topic, name: &[u8]) {
    room.subscribe(id, &mut clients.find(id).unwrap().subscriptions, topic, name);
}

fn publish(room: &mut PubSub, clients: &mut Clients, topic: Topic, name: &[u8]) -> usize {
    room.publish(clients, topic, name, Message { text: b"text", shared: None }, NO_LIMIT)
}

fn heard(clients: &mut Clients, id: ClientId) -> String {
    let output = clients.find(id).unwrap().frame.as_mut().unwrap().reply.output_mut();
    let text = String::from_utf8(output.front().to_vec()).unwrap();
    output.clear();
    text
}

#[test]
fn a_message_comes_once_for_each_topic_that_it_meets() {
    let (mut room, mut clients) = (PubSub::default(), Clients::default());
    let (one, other) = (clients.add(0), clients.add(0));
    for (topic, name) in [(Topic::Channel, "news"), (Topic::Pattern, "n*"), (Topic::Pattern, "m*")]
    {
        subscribe(&mut room, &mut clients, one, topic, name.as_bytes());
        subscribe(&mut room, &mut clients, one, topic, name.as_bytes());
    }
    subscribe(&mut room, &mut clients, other, Topic::ShardChannel, b"news");
    assert_eq!(publish(&mut room, &mut clients, Topic::Channel, b"news"), 2);
    let expected = "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$4\r\ntext\r\n\
                    *4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$4\r\ntext\r\n";
    assert_eq!(heard(&mut clients, one), expected);
    assert_eq!(publish(&mut room, &mut clients, Topic::ShardChannel, b"news"), 1);
    assert_eq!(heard(&mut clients, other), "*3\r\n$8\r\nsmessage\r\n$4\r\nnews\r\n$4\r\ntext\r\n");
    assert_eq!(heard(&mut clients, one), "");
    assert_eq!(publish(&mut room, &mut clients, Topic::Channel, b"other"), 0);
}

#[test]
fn who_is_over_is_told_nothing_and_counted_no_more() {
    let (mut room, mut clients) = (PubSub::default(), Clients::default());
    let (one, other) = (clients.add(0), clients.add(0));
    for id in [one, other] {
        subscribe(&mut room, &mut clients, id, Topic::Channel, b"news");
    }
    clients.close(one);
    assert_eq!(publish(&mut room, &mut clients, Topic::Channel, b"news"), 1);
    assert_eq!(room.client_count(), 2);
    let mut freed = clients.free(one).unwrap();
    room.unsubscribe_all(one, &mut freed.subscriptions);
    assert_eq!((room.client_count(), room.listener_count(Topic::Channel, b"news")), (1, 1));
}

#[test]
fn who_has_too_much_waiting_is_noted() {
    let (mut room, mut clients) = (PubSub::default(), Clients::default());
    let id = clients.add(0);
    subscribe(&mut room, &mut clients, id, Topic::Channel, b"news");
    let message = Message { text: &[b'x'; 600], shared: None };
    room.publish(&mut clients, Topic::Channel, b"news", message, 1000);
    assert_eq!(room.pop_over_limit(), None);
    room.publish(&mut clients, Topic::Channel, b"news", message, 1000);
    assert_eq!((room.pop_over_limit(), room.pop_over_limit()), (Some(id), None));
}

#[test]
fn lists_and_subscriptions_say_the_same() {
    let seed = Random::from_system().any_u64();
    println!("seed {seed}");
    let mut random = Random::seeded(seed);
    let (mut room, mut clients) = (PubSub::default(), Clients::default());
    let ids: Vec<ClientId> = (0..8).map(|_| clients.add(0)).collect();
    let mut model: BTreeSet<(ClientId, usize, Vec<u8>)> = BTreeSet::new();
    for _ in 0..3000 {
        let id = ids[random.index(ids.len())];
        let topic = TOPICS[random.index(3)];
        let name = format!("{}", random.index(12)).into_bytes();
        let mine = &mut clients.find(id).unwrap().subscriptions;
        match random.index(20) {
            0..10 => {
                room.subscribe(id, mine, topic, &name);
                model.insert((id, topic as usize, name));
            }
            10..19 => {
                room.unsubscribe(id, mine, topic, &name);
                model.remove(&(id, topic as usize, name));
            }
            _ => {
                room.unsubscribe_all(id, mine);
                model.retain(|(other, ..)| *other != id);
            }
        }
        let mine = &clients.peek(id).unwrap().subscriptions;
        assert_eq!(mine.is_empty(), !model.iter().any(|(other, ..)| *other == id));
        for topic in TOPICS {
            let of_topic = || model.iter().filter(|(_, at, _)| *at == topic as usize);
            let names: BTreeSet<&Vec<u8>> = of_topic().map(|(_, _, name)| name).collect();
            assert_eq!(room.topic_count(topic), names.len());
            assert_eq!(room.names(topic).count(), names.len());
            for name in names {
                let count = of_topic().filter(|(_, _, other)| other == name).count();
                assert_eq!(room.listener_count(topic, name), count);
            }
            let mut names = mine.names(topic);
            names.sort_unstable();
            let expected = of_topic().filter(|(other, ..)| *other == id);
            let expected: Vec<&[u8]> = expected.map(|(_, _, name)| &name[..]).collect();
            assert_eq!(names.iter().map(|name| &**name).collect::<Vec<_>>(), expected);
        }
        let listening: BTreeSet<ClientId> = model.iter().map(|(id, ..)| *id).collect();
        assert_eq!(room.client_count(), listening.len());
    }
}

#[test]
fn patterns_that_try_all_ways_take_no_long() {
    let (mut room, mut clients) = (PubSub::default(), Clients::default());
    let id = clients.add(0);
    let pattern = [&b"a*".repeat(300)[..], b"b"].concat();
    subscribe(&mut room, &mut clients, id, Topic::Pattern, &pattern);
    let start = std::time::Instant::now();
    assert_eq!(publish(&mut room, &mut clients, Topic::Channel, &[b'a'; 5000]), 0);
    assert!(start.elapsed().as_secs() < 10, "it would take longer than the universe");
}
