-- open_reviews: hard examples a person has not answered yet, most valuable first
select
    review_queue.example_id,
    review_queue.day,
    review_queue.query,
    review_queue.rejected,
    review_queue.reason,
    review_queue.priority,
    review_queue.mode_id
from review_queue
left join answers on review_queue.example_id = answers.example_id and answers.author_kind = 'human'
where answers.example_id is null
order by review_queue.priority desc
